-- id: companies.phone_number.malformed
-- severity: warning
-- relation: public.companies
-- message: phone_number is no phone number
-- hint: kept as it is
-- tolerate: 0.5%
-- clean-up: update public.companies t set phone_number = null
-- clean-up: where t.phone_number <> '' and t.phone_number !~ '^[+]?[0-9 ()./-]{5,}( ?(x|ext[.]?) ?[0-9]+)?$';

select t.id as key, quote_literal(left(t.phone_number, 80)) as detail
from public.companies t
where t.phone_number <> '' and t.phone_number !~ '^[+]?[0-9 ()./-]{5,}( ?(x|ext[.]?) ?[0-9]+)?$';
