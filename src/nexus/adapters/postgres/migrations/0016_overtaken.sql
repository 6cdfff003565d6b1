-- Fails a statement whose guard does not hold, and with it the commit that was sent behind it.
CREATE FUNCTION overtaken(what text) RETURNS boolean LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'NX001', MESSAGE = what || ' was changed by others meanwhile';
END
$$;
