// The banner of a migration for a React front end: it polls the status page's feed, shows the
// maintenance while it matters, then each change by itself; each notice is dismissed for good.
import { type ReactElement, useEffect, useState } from "react";

export type MigrationState =
  | "scheduled" | "soon" | "running" | "late" | "done" | "rolled_back" | "cancelled";

export interface UserChange { id: string; title: string; text: string; link: string }

/** What the feed's key `migration` holds, as far as a banner needs it. */
export interface Migration {
  id: string;
  revision: number;
  state: MigrationState;
  headline: string;
  announcement: string;
  starts: string;
  ends: string;
  page_url: string;
  changes: UserChange[];
}

export interface Notice { id: string; title: string; text: string; link: string }

const KEY = "harness-banner"; // shared with banner.js: what is dismissed there is dismissed here

/** Start and end in the visitor's zone and in UTC, each with its zone's name. */
export function spellTimes(
  migration: Migration,
  zone: string = Intl.DateTimeFormat().resolvedOptions().timeZone,
  locale?: string,
): string {
  const span = (timeZone: string): string => {
    const format = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short", timeZone });
    return `${format.formatRange(new Date(migration.starts), new Date(migration.ends))} (${timeZone})`;
  };
  return zone === "UTC" ? span("UTC") : `${span(zone)}, ${span("UTC")}`;
}

/** What is to be shown: one notice of the maintenance, or one of each change once it is done. */
export function noticesOf(migration: Migration, times: (one: Migration) => string = spellTimes): Notice[] {
  const { id, revision, state, headline, page_url: link } = migration;
  if (state === "done") {
    return migration.changes.map((one) => ({ ...one, id: `${id}/change/${one.id}` }));
  }
  const over = state === "rolled_back" || state === "cancelled";
  const text = over ? migration.announcement : times(migration);
  return [{ id: `${id}/${revision}/${state}`, title: headline, text, link }];
}

function readDismissed(): Record<string, 1> {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "{}") as Record<string, 1>;
  } catch {
    return {}; // a browser that stores nothing
  }
}

/** The feed's migration, asked for again and again; what was known stays while the feed is away. */
export function useMigration(feed: string, every = 60_000): Migration | null {
  const [migration, setMigration] = useState<Migration | null>(null);
  useEffect(() => {
    const stop = new AbortController();
    const poll = async (): Promise<void> => {
      try {
        const answer = await fetch(feed, { credentials: "omit", cache: "no-cache", signal: stop.signal });
        if (answer.ok) setMigration(((await answer.json()) as { migration: Migration }).migration);
      } catch {
        // asked again at the next turn
      }
    };
    void poll();
    const timer = setInterval(() => void poll(), every);
    return () => { stop.abort(); clearInterval(timer); };
  }, [feed, every]);
  return migration;
}

export interface NoticeListProps { notices: Notice[]; onDismiss: (id: string) => void }

/** The notices as regions with a name, a link and a button each. */
export function NoticeList({ notices, onDismiss }: NoticeListProps): ReactElement {
  return (
    <>
      {notices.map((one) => (
        <section key={one.id} aria-label={`Notice: ${one.title}`} className="migration-banner">
          <p>
            <strong>{one.title}</strong> {one.text}{" "}
            {/^https?:\/\//i.test(one.link) && (
              <a href={one.link} aria-label={`More: ${one.title}`}>More</a>
            )}
          </p>
          <button type="button" aria-label={`Dismiss: ${one.title}`} onClick={() => onDismiss(one.id)}>
            Dismiss
          </button>
        </section>
      ))}
    </>
  );
}

/** The banner: `feed` is the address of the page's /api/v2/summary.json. */
export function MigrationBanner({ feed, every }: { feed: string; every?: number }): ReactElement | null {
  const migration = useMigration(feed, every);
  const [dismissed, setDismissed] = useState(readDismissed);
  if (migration === null) return null;
  const dismiss = (id: string): void => {
    const now: Record<string, 1> = { ...readDismissed(), ...dismissed, [id]: 1 };
    setDismissed(now);
    try {
      localStorage.setItem(KEY, JSON.stringify(now));
    } catch {
      // for this page only
    }
  };
  const shown = noticesOf(migration).filter((one) => !(one.id in dismissed));
  return <NoticeList notices={shown} onDismiss={dismiss} />;
}
