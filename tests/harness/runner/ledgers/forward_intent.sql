CREATE TABLE public.kinds (
    id bigint NOT NULL,
    name text
);
CREATE TABLE public.things (
    id bigint NOT NULL,
    name text NOT NULL,
    upper_name text
);
INSERT INTO public.kinds VALUES (1, '2030-01-01');
INSERT INTO public.things VALUES (1, 'thing 1', 'THING 1');
INSERT INTO public.things VALUES (2, 'thing 2', 'THING 2');
INSERT INTO public.things VALUES (3, 'thing 3', 'THING 3');
INSERT INTO public.things VALUES (4, 'thing 4', 'THING 4');
INSERT INTO public.things VALUES (5, 'thing 5', 'THING 5');
INSERT INTO public.things VALUES (6, 'thing 6', 'THING 6');
INSERT INTO public.things VALUES (7, 'thing 7', 'THING 7');
INSERT INTO public.things VALUES (8, 'thing 8', 'THING 8');
INSERT INTO public.things VALUES (9, 'thing 9', 'THING 9');
INSERT INTO public.things VALUES (10, 'thing 10', 'THING 10');
INSERT INTO public.things VALUES (11, 'thing 11', 'THING 11');
INSERT INTO public.things VALUES (12, 'thing 12', 'THING 12');
INSERT INTO public.things VALUES (13, 'thing 13', 'THING 13');
INSERT INTO public.things VALUES (14, 'thing 14', 'THING 14');
INSERT INTO public.things VALUES (15, 'thing 15', 'THING 15');
INSERT INTO public.things VALUES (16, 'thing 16', 'THING 16');
INSERT INTO public.things VALUES (17, 'thing 17', 'THING 17');
INSERT INTO public.things VALUES (18, 'thing 18', 'THING 18');
INSERT INTO public.things VALUES (19, 'thing 19', 'THING 19');
INSERT INTO public.things VALUES (20, 'thing 20', 'THING 20');
ALTER TABLE ONLY public.kinds
    ADD CONSTRAINT kinds_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.things
    ADD CONSTRAINT things_pkey PRIMARY KEY (id);
INSERT INTO migration_control.run VALUES (1, 'forward', NULL, 'small', '1', '068e92fb02b14234dc4791d042070ffff3d506dc30ffca3f374cb63163b56c29', 'running', 2, 14127, '2026-11-28 02:29:04.44995+00', 14126, '2026-11-28 02:29:04.444851+00', 'runner@host:1', 3, 2, NULL, 'bed2147edee8fdf0', '2026-11-28 02:29:04.40518+00', NULL);
INSERT INTO migration_control.event OVERRIDING SYSTEM VALUE VALUES (1, 1, '2026-11-28 02:29:04.414372+00', 'run_started', NULL, '');
INSERT INTO migration_control.event OVERRIDING SYSTEM VALUE VALUES (2, 1, '2026-11-28 02:29:04.464739+00', 'resumed', NULL, '');
INSERT INTO migration_control.ledger VALUES (1, '2026-11-28 02:29:04.40518+00');
INSERT INTO migration_control.plan_file VALUES (1, 'plan.toml', '10e316d839d1383394f6f3115f2e526baa0328bae29a4da6ff6aef691e83b764');
INSERT INTO migration_control.plan_file VALUES (1, 'phases/1.1_fill/010_column.forward.sql', 'f73cedfde9c9422064df7fb06dffa009204d51d3ea934d88f65a71731b4b7380');
INSERT INTO migration_control.plan_file VALUES (1, 'phases/1.1_fill/010_column.rollback.sql', 'fa87700368fa5e2b9f00983d569459d5ff0c15bd576a261858529f0222165922');
INSERT INTO migration_control.plan_file VALUES (1, 'phases/1.1_fill/020_fill.forward.sql', 'f19cdfc3cf1f15d47edfc5b092d245ec09c31b8646f32521c1a156747c33e4d4');
INSERT INTO migration_control.plan_file VALUES (1, 'phases/1.1_fill/020_fill.rollback.sql', 'b6b8c879b3ab165df6b55158c110e41eac0d8318bfbc7f6c315292cb309577b2');
INSERT INTO migration_control.plan_file VALUES (1, 'phases/1.2_index/010_index.forward.sql', 'a5a1f4cc9776ef2b1ad65d1fb880a2e722ef0ce5f04b2f4ce3424aa7a043baf3');
INSERT INTO migration_control.plan_file VALUES (1, 'phases/1.2_index/010_index.rollback.sql', '3e24554dd67c764a7f0d93bf19e83de4edd819b0fc3e6c14835194e18afb89df');
INSERT INTO migration_control.step VALUES (1, '1.1/010_column', 1, 'transaction', 'done', NULL, 1, 0, 1, '2026-11-28 02:29:04.416703+00', '2026-11-28 02:29:04.420811+00', 'b8a1a2a7a4fa658f');
INSERT INTO migration_control.step VALUES (1, '1.1/020_fill', 2, 'batch', 'done', 20, 20, 3, 1, '2026-11-28 02:29:04.422025+00', '2026-11-28 02:29:04.426853+00', '5cb492ea70531dc9');
INSERT INTO migration_control.step VALUES (1, '1.2/010_index', 3, 'concurrent', 'intent', NULL, 0, 0, 1, '2026-11-28 02:29:04.468982+00', '2026-11-28 02:29:04.469951+00', '07f9292b557c4ae6');
SELECT pg_catalog.setval('migration_control.event_id_seq', 2, true);
