CREATE SCHEMA migration_control;
CREATE TABLE migration_control.archived (
    run_id bigint NOT NULL,
    relation text NOT NULL,
    rows bigint NOT NULL
);
CREATE TABLE migration_control.event (
    id bigint NOT NULL,
    run_id bigint NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    kind text NOT NULL,
    step text,
    message text DEFAULT ''::text NOT NULL
);
ALTER TABLE migration_control.event ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME migration_control.event_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE migration_control.ledger (
    version integer NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE migration_control.plan_file (
    run_id bigint NOT NULL,
    path text NOT NULL,
    sha256 text NOT NULL
);
CREATE TABLE migration_control.run (
    id bigint NOT NULL,
    direction text NOT NULL,
    undoes bigint,
    plan text NOT NULL,
    plan_version text NOT NULL,
    plan_hash text NOT NULL,
    state text NOT NULL,
    epoch bigint NOT NULL,
    pid integer NOT NULL,
    backend_start timestamp with time zone NOT NULL,
    lock_pid integer NOT NULL,
    lock_backend_start timestamp with time zone NOT NULL,
    client text NOT NULL,
    steps_begun integer DEFAULT 0 NOT NULL,
    steps_done integer DEFAULT 0 NOT NULL,
    reason text,
    seal text NOT NULL,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    completed_at timestamp with time zone,
    CONSTRAINT run_direction_check CHECK ((direction = ANY (ARRAY['forward'::text, 'rollback'::text, 'cleanup'::text]))),
    CONSTRAINT run_state_check CHECK ((state = ANY (ARRAY['running'::text, 'completed'::text])))
);
CREATE TABLE migration_control.step (
    run_id bigint NOT NULL,
    step text NOT NULL,
    "position" integer NOT NULL,
    kind text NOT NULL,
    state text NOT NULL,
    last_key bigint,
    rows bigint NOT NULL,
    batches integer NOT NULL,
    attempts integer NOT NULL,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    seal text NOT NULL,
    CONSTRAINT step_state_check CHECK ((state = ANY (ARRAY['intent'::text, 'running'::text, 'done'::text])))
);
ALTER TABLE ONLY migration_control.event
    ADD CONSTRAINT event_pkey PRIMARY KEY (id);
ALTER TABLE ONLY migration_control.ledger
    ADD CONSTRAINT ledger_pkey PRIMARY KEY (version);
ALTER TABLE ONLY migration_control.plan_file
    ADD CONSTRAINT plan_file_pkey PRIMARY KEY (run_id, path);
ALTER TABLE ONLY migration_control.run
    ADD CONSTRAINT run_pkey PRIMARY KEY (id);
ALTER TABLE ONLY migration_control.step
    ADD CONSTRAINT step_pkey PRIMARY KEY (run_id, step);
ALTER TABLE ONLY migration_control.event
    ADD CONSTRAINT event_run_id_fkey FOREIGN KEY (run_id) REFERENCES migration_control.run(id);
ALTER TABLE ONLY migration_control.plan_file
    ADD CONSTRAINT plan_file_run_id_fkey FOREIGN KEY (run_id) REFERENCES migration_control.run(id);
ALTER TABLE ONLY migration_control.run
    ADD CONSTRAINT run_undoes_fkey FOREIGN KEY (undoes) REFERENCES migration_control.run(id);
ALTER TABLE ONLY migration_control.step
    ADD CONSTRAINT step_run_id_fkey FOREIGN KEY (run_id) REFERENCES migration_control.run(id);
