"""The command line's own words: commands in order of use, each with an example; usage errors."""

from __future__ import annotations

from typing import Final

import click

EXAMPLES: Final = {
    "init": "harness init",
    "check": "harness check db/migrations --last 3",
    "baseline": "harness baseline --dsn postgresql:///shop",
    "seed": "harness seed --dsn postgresql:///shop --rows 10000",
    "fingerprint": "harness fingerprint --dsn postgresql:///shop --save before.json",
    "validate": "harness validate --dsn postgresql:///shop",
    "backup": "harness backup --dsn postgresql:///shop --to before.backup",
    "dry-run": "harness dry-run --dsn postgresql:///shop --max-lock 2s",
    "maintenance": "harness maintenance on --dsn postgresql:///shop --for 30min",
    "migrate": "harness migrate --dsn postgresql:///shop --until 1.1",
    "status": "harness status --dsn postgresql:///shop",
    "watch": "harness watch --dsn postgresql:///shop",
    "notify": "harness notify send --dsn postgresql:///shop --once",
    "metrics": "harness metrics --dsn postgresql:///shop --listen 9187",
    "page": "harness page serve --dsn postgresql:///shop --port 8080",
    "control": "harness control pause --dsn postgresql:///shop --for 10min",
    "verify": "harness verify --dsn postgresql:///shop --source before.backup",
    "rollback": "harness rollback --dsn postgresql:///shop",
    "cleanup": "harness cleanup --dsn postgresql:///shop",
    "restore": "harness restore --dsn postgresql:///shop_new --from before.backup",
    "gate": "harness gate --server embedded --rows 10000",
    "merge": "harness merge shard-1/crash.json shard-2/crash.json --out merged.json",
    "report": "harness report --build build",
    "crash": "harness crash --domain wire --points 200",
    "live": "harness live --writes 100 --seconds 20",
    "mutate": "harness mutate --sample 100",
    "impact": "harness impact dashboards/ reports/ --out build/artifacts",
    "webhooks": "harness webhooks send --dsn postgresql:///shop --endpoints webhooks.toml",
    "bench": "harness bench compare main HEAD",
}
"""Every command in the order in which a migration needs it, with a line to begin from."""


class Commands(click.Group):
    """A group that lists its commands in order of use, with whole summaries and an example each."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in order of use; one that has no example yet comes last."""
        known = [name for name in EXAMPLES if name in self.commands]
        return known + [name for name in super().list_commands(ctx) if name not in EXAMPLES]

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Add a command; its help ends with its example."""
        example = EXAMPLES.get(name or cmd.name or "")
        if example and not cmd.epilog:
            cmd.epilog = f"\b\nExample:\n  {example}"
        super().add_command(cmd, name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write name, summary and example of every command."""
        with formatter.section("Commands, in order of use"):
            for name in self.list_commands(ctx):
                command = self.commands[name]
                if command.hidden:
                    continue
                summary = command.get_short_help_str(limit=10_000)
                first = f"{' ' * formatter.current_indent}{name:<13}"
                rest = " " * len(first)
                formatter.write(click.wrap_text(summary, formatter.width, first, rest) + "\n")
                if name in EXAMPLES:
                    formatter.write(f"{rest}$ {EXAMPLES[name]}\n")


class Seconds(click.ParamType[float]):
    """A time such as 2s or 500ms, as in plan.toml; a bare number is seconds."""

    name = "time"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The time in seconds, which is more than none."""
        from harness.plan.reader import DURATION, UNITS

        text = str(value).strip()
        match = DURATION.fullmatch(text if text.endswith(tuple(UNITS)) else f"{text}s")
        found = float(match[1]) * UNITS[match[2]] if match else 0.0
        if not found:
            self.fail(f'it is a time such as "2s" or "500ms", not {text!r}', param, ctx)
        return found


def told(error: click.ClickException) -> str:
    """A usage error in one sentence, with where to look."""
    message = error.format_message().rstrip(".")
    context = getattr(error, "ctx", None)
    where = context.command_path if context else "harness"
    return f"{message[:1].lower()}{message[1:]}; see {where} --help"
