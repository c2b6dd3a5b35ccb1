-- names that have to be quoted, schemas other than public
CREATE SCHEMA "My Schema";
CREATE TABLE "My Schema"."Order ""x"" %s" ("Id %" int PRIMARY KEY, "select" text NOT NULL CHECK ("select" <> '%'), "new
line" int);
CREATE TABLE "My Schema"."ünïcödé" (id int PRIMARY KEY, "o'rder" int NOT NULL REFERENCES "My Schema"."Order ""x"" %s");
CREATE TABLE public.nothing ();
CREATE TABLE public.only_made (a int GENERATED ALWAYS AS (1) STORED);
