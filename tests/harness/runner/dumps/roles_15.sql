--
-- PostgreSQL database cluster dump
--

\restrict SiSiPV637HnWanKt87f3a9mzlQ4DCPebhu2dxJ1F4MAoRR8DoQbDMncCeFfscND

SET default_transaction_read_only = off;

SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;

--
-- Roles
--

CREATE ROLE dump_owner;
ALTER ROLE dump_owner WITH NOSUPERUSER INHERIT NOCREATEROLE NOCREATEDB LOGIN NOREPLICATION NOBYPASSRLS PASSWORD 'SCRAM-SHA-256$4096:UI0eNSciMzq48oCwi5XzmQ==$ZF6+RaGTAmH9OQXoajljBh3xnY+5F89w7gdoKYxyUDA=:dobEae6TU4htY+rwwWgvPKZ6PKsxQH4+1I2zLZSEIlw=';
CREATE ROLE dump_reader;
ALTER ROLE dump_reader WITH NOSUPERUSER INHERIT NOCREATEROLE NOCREATEDB LOGIN NOREPLICATION NOBYPASSRLS PASSWORD 'SCRAM-SHA-256$4096:UI0eNSciMzq48oCwi5XzmQ==$ZF6+RaGTAmH9OQXoajljBh3xnY+5F89w7gdoKYxyUDA=:dobEae6TU4htY+rwwWgvPKZ6PKsxQH4+1I2zLZSEIlw=';
CREATE ROLE postgres;
ALTER ROLE postgres WITH SUPERUSER INHERIT CREATEROLE CREATEDB LOGIN REPLICATION BYPASSRLS PASSWORD 'SCRAM-SHA-256$4096:UI0eNSciMzq48oCwi5XzmQ==$ZF6+RaGTAmH9OQXoajljBh3xnY+5F89w7gdoKYxyUDA=:dobEae6TU4htY+rwwWgvPKZ6PKsxQH4+1I2zLZSEIlw=';

--
-- User Configurations
--


--
-- Role memberships
--

GRANT dump_reader TO dump_owner GRANTED BY postgres;




\unrestrict SiSiPV637HnWanKt87f3a9mzlQ4DCPebhu2dxJ1F4MAoRR8DoQbDMncCeFfscND

--
-- PostgreSQL database cluster dump complete
--

