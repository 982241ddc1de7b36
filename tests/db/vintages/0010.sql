UPDATE api_keys SET scope = 'read', expires_at = clock_timestamp() + interval '90 days', last_used_at = clock_timestamp()
WHERE prefix LIKE 'v{v}%';
UPDATE users SET sign_in_generation = 1 WHERE email = 'v{v}-1@example.com';
INSERT INTO sign_in_tries (who, failures) VALUES (md5('v{v}'), 3);
