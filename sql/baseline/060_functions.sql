-- kind: transaction
-- summary: a signed-up user becomes a sales row; the first one an administrator

create function public.handle_new_user() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    insert into public.sales (first_name, last_name, email, user_id, administrator)
    values (
        coalesce(new.raw_user_meta_data ->> 'first_name', ''),
        coalesce(new.raw_user_meta_data ->> 'last_name', ''),
        coalesce(new.email, ''),
        new.id,
        not exists (select from public.sales)
    );
    return new;
end
$$;

create function public.handle_update_user() returns trigger
language plpgsql security definer set search_path = ''
as $$
begin
    update public.sales
    set first_name = coalesce(new.raw_user_meta_data ->> 'first_name', ''),
        last_name = coalesce(new.raw_user_meta_data ->> 'last_name', ''),
        email = coalesce(new.email, '')
    where user_id = new.id;
    return new;
end
$$;

create trigger on_auth_user_created after insert on auth.users
    for each row execute function public.handle_new_user();

create trigger on_auth_user_updated after update on auth.users
    for each row execute function public.handle_update_user();
