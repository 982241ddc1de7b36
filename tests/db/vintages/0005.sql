UPDATE tasks SET memory_bytes = 60000000
FROM users WHERE users.id = user_id AND email LIKE 'v{v}-%' AND status = 'PROCESSING';
