-- The format of this file: README.md in this folder.

-- page: users
-- Accounts and names; all but the names for those who may.
SELECT u.id, u.alt_id, u.first_name, u.last_name, u.email, u.phone, u.address, u.role, u.is_active, u.last_sign_in_at,
    u.created_at, u.updated_at, u.version,
    @visible(users.private u) AS private_visible
FROM users u
WHERE @visible(users u)
-- key: u.id
-- order name text: u.sort_key
-- order created_at timestamptz: u.created_at
-- filter roles: u.role = ANY($roles::text[]) AND @visible(users.private u)
-- flag is_active: u.is_active AND @visible(users.private u) ELSE NOT u.is_active AND @visible(users.private u)
-- filter email: lower(u.email) = lower($email) AND @visible(users.private u)
-- filter first_name_prefix: fold_name(u.first_name) >= fold_name($first_name_prefix) AND fold_name(u.first_name) < (fold_name($first_name_prefix) || U&'\+10FFFF')
-- filter last_name_prefix: u.sort_key >= fold_name($last_name_prefix) AND u.sort_key < (fold_name($last_name_prefix) || U&'\+10FFFF')
-- guard created_at: users.private
-- guard roles: users.private
-- guard is_active: users.private
-- guard email: users.private
-- by id uuid: u.id
-- by alt_id bigint: u.alt_id

-- record: users
-- People with a name, who may have an account.
role first_name last_name email phone address is_active

-- table: users
-- Everybody with a name at the school, with or without an account.
-- personal identity user: alt_id, role, first_name, last_name, sort_key; id; 10 years after leaving
-- personal contact user: email, phone, address (free text); id; 1 year after leaving
-- personal credentials user: password_hash; id; 30 days after leaving
-- personal technical user: password_changed_at, last_sign_in_at, is_active; id; 1 year after leaving
