-- summary: the column, and a trigger that fills it for whoever writes from now on
ALTER TABLE app.customers ADD COLUMN email_key text;

CREATE FUNCTION app.customers_email_key() RETURNS trigger
LANGUAGE plpgsql SET search_path = ''
AS $$
BEGIN
    NEW.email_key := lower(NEW.email);
    RETURN NEW;
END
$$;

CREATE TRIGGER customers_email_key BEFORE INSERT OR UPDATE OF email ON app.customers
FOR EACH ROW EXECUTE FUNCTION app.customers_email_key();
