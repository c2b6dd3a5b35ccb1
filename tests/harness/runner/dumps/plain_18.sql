--
-- PostgreSQL database dump
--

\restrict XwpVN75oTtDOpbcrc1CPEFqf631TQlxMjuhhsUC8JperjOr1cMj7cE09T6NzmJ9

-- Dumped from database version 18.6
-- Dumped by pg_dump version 18.6

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: app; Type: SCHEMA; Schema: -; Owner: dump_owner
--

CREATE SCHEMA app;


ALTER SCHEMA app OWNER TO dump_owner;

--
-- Name: SCHEMA public; Type: COMMENT; Schema: -; Owner: pg_database_owner
--

COMMENT ON SCHEMA public IS 'mine';


--
-- Name: mood; Type: TYPE; Schema: app; Owner: postgres
--

CREATE TYPE app.mood AS ENUM (
    'sad',
    'ok'
);


ALTER TYPE app.mood OWNER TO postgres;

--
-- Name: pos; Type: DOMAIN; Schema: app; Owner: postgres
--

CREATE DOMAIN app.pos AS integer
	CONSTRAINT pos_check CHECK ((VALUE > 0));


ALTER DOMAIN app.pos OWNER TO postgres;

--
-- Name: f(); Type: FUNCTION; Schema: app; Owner: postgres
--

CREATE FUNCTION app.f() RETURNS trigger
    LANGUAGE plpgsql
    AS $_$ begin -- it's; ok
 new.name := 'x;' || $q$;$q$; return new; end $_$;


ALTER FUNCTION app.f() OWNER TO postgres;

--
-- Name: g(integer); Type: FUNCTION; Schema: app; Owner: postgres
--

CREATE FUNCTION app.g(a integer) RETURNS integer
    LANGUAGE sql
    BEGIN ATOMIC
 SELECT 1;
 SELECT (a + 1);
END;


ALTER FUNCTION app.g(a integer) OWNER TO postgres;

SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: child; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.child (
    id integer NOT NULL,
    t integer
);


ALTER TABLE app.child OWNER TO postgres;

--
-- Name: t; Type: TABLE; Schema: app; Owner: dump_owner
--

CREATE TABLE app.t (
    id integer NOT NULL,
    name text DEFAULT 'a;b'::text NOT NULL,
    m app.mood,
    j jsonb,
    b bytea,
    p app.pos
);


ALTER TABLE app.t OWNER TO dump_owner;

--
-- Name: TABLE t; Type: COMMENT; Schema: app; Owner: dump_owner
--

COMMENT ON TABLE app.t IS 'it''s; a "table" \restrict';


--
-- Name: mv; Type: MATERIALIZED VIEW; Schema: app; Owner: postgres
--

CREATE MATERIALIZED VIEW app.mv AS
 SELECT count(*) AS n
   FROM app.t
  WITH NO DATA;


ALTER MATERIALIZED VIEW app.mv OWNER TO postgres;

--
-- Name: part; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.part (
    a integer,
    b text
)
PARTITION BY LIST (a);


ALTER TABLE app.part OWNER TO postgres;

--
-- Name: part1; Type: TABLE; Schema: app; Owner: postgres
--

CREATE TABLE app.part1 (
    a integer,
    b text
);


ALTER TABLE app.part1 OWNER TO postgres;

--
-- Name: t_id_seq; Type: SEQUENCE; Schema: app; Owner: dump_owner
--

CREATE SEQUENCE app.t_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


ALTER SEQUENCE app.t_id_seq OWNER TO dump_owner;

--
-- Name: t_id_seq; Type: SEQUENCE OWNED BY; Schema: app; Owner: dump_owner
--

ALTER SEQUENCE app.t_id_seq OWNED BY app.t.id;


--
-- Name: v; Type: VIEW; Schema: app; Owner: postgres
--

CREATE VIEW app.v WITH (security_invoker='on') AS
 SELECT id,
    name
   FROM app.t;


ALTER VIEW app.v OWNER TO postgres;

--
-- Name: part1; Type: TABLE ATTACH; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.part ATTACH PARTITION app.part1 FOR VALUES IN (1);


--
-- Name: t id; Type: DEFAULT; Schema: app; Owner: dump_owner
--

ALTER TABLE ONLY app.t ALTER COLUMN id SET DEFAULT nextval('app.t_id_seq'::regclass);


--
-- Data for Name: child; Type: TABLE DATA; Schema: app; Owner: postgres
--

COPY app.child (id, t) FROM stdin;
1	1
2	1
3	1
4	1
5	1
\.


--
-- Data for Name: part1; Type: TABLE DATA; Schema: app; Owner: postgres
--

COPY app.part1 (a, b) FROM stdin;
1	é
\.


--
-- Data for Name: t; Type: TABLE DATA; Schema: app; Owner: dump_owner
--

COPY app.t (id, name, m, j, b, p) FROM stdin;
1	tab\there\nnew\\line	sad	{"a": "x;y"}	\\xdeadbeef	3
2	\\.	\N	\N	\N	\N
3	$$;--	ok	\N	\N	7
\.


--
-- Name: t_id_seq; Type: SEQUENCE SET; Schema: app; Owner: dump_owner
--

SELECT pg_catalog.setval('app.t_id_seq', 3, true);


--
-- Name: 4711; Type: BLOB METADATA; Schema: -; Owner: postgres
--

SELECT pg_catalog.lo_create('4711');

ALTER LARGE OBJECT 4711 OWNER TO postgres;

--
-- Data for Name: 4711; Type: BLOBS; Schema: -; Owner: postgres
--

BEGIN;

SELECT pg_catalog.lo_open('4711', 131072);
SELECT pg_catalog.lowrite(0, '\x00ff41');
SELECT pg_catalog.lo_close(0);

COMMIT;

--
-- Name: child child_pkey; Type: CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.child
    ADD CONSTRAINT child_pkey PRIMARY KEY (id);


--
-- Name: t t_pkey; Type: CONSTRAINT; Schema: app; Owner: dump_owner
--

ALTER TABLE ONLY app.t
    ADD CONSTRAINT t_pkey PRIMARY KEY (id);


--
-- Name: i; Type: INDEX; Schema: app; Owner: dump_owner
--

CREATE INDEX i ON app.t USING btree (lower(name)) WHERE (name <> ';'::text);


--
-- Name: st; Type: STATISTICS; Schema: app; Owner: postgres
--

CREATE STATISTICS app.st ON id, name FROM app.t;


ALTER STATISTICS app.st OWNER TO postgres;

--
-- Name: child r; Type: RULE; Schema: app; Owner: postgres
--

CREATE RULE r AS
    ON UPDATE TO app.child DO
 NOTIFY x;


--
-- Name: t tr; Type: TRIGGER; Schema: app; Owner: dump_owner
--

CREATE TRIGGER tr BEFORE INSERT ON app.t FOR EACH ROW EXECUTE FUNCTION app.f();


--
-- Name: child child_t_fkey; Type: FK CONSTRAINT; Schema: app; Owner: postgres
--

ALTER TABLE ONLY app.child
    ADD CONSTRAINT child_t_fkey FOREIGN KEY (t) REFERENCES app.t(id) DEFERRABLE INITIALLY DEFERRED;


--
-- Name: t pol; Type: POLICY; Schema: app; Owner: dump_owner
--

CREATE POLICY pol ON app.t USING ((name <> ''';'''::text));


--
-- Name: t; Type: ROW SECURITY; Schema: app; Owner: dump_owner
--

ALTER TABLE app.t ENABLE ROW LEVEL SECURITY;

--
-- Name: pub; Type: PUBLICATION; Schema: -; Owner: postgres
--

CREATE PUBLICATION pub WITH (publish = 'insert, update, delete, truncate');


ALTER PUBLICATION pub OWNER TO postgres;

--
-- Name: pub child; Type: PUBLICATION TABLE; Schema: app; Owner: postgres
--

ALTER PUBLICATION pub ADD TABLE ONLY app.child;


--
-- Name: TABLE t; Type: ACL; Schema: app; Owner: dump_owner
--

GRANT SELECT ON TABLE app.t TO dump_reader;


--
-- Name: TABLE part; Type: ACL; Schema: app; Owner: postgres
--

GRANT SELECT ON TABLE app.part TO dump_reader;


--
-- Name: TABLE part1; Type: ACL; Schema: app; Owner: postgres
--

GRANT SELECT ON TABLE app.part1 TO dump_reader;


--
-- Name: DEFAULT PRIVILEGES FOR TABLES; Type: DEFAULT ACL; Schema: app; Owner: postgres
--

ALTER DEFAULT PRIVILEGES FOR ROLE postgres IN SCHEMA app GRANT SELECT ON TABLES TO dump_reader;


--
-- Name: mv; Type: MATERIALIZED VIEW DATA; Schema: app; Owner: postgres
--

REFRESH MATERIALIZED VIEW app.mv;


--
-- PostgreSQL database dump complete
--

\unrestrict XwpVN75oTtDOpbcrc1CPEFqf631TQlxMjuhhsUC8JperjOr1cMj7cE09T6NzmJ9

