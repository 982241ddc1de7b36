UPDATE agent_paces SET base_memory_bytes = 1e8, memory_bytes_per_mebibyte = 3e6, memory_spread_bytes = 1e7 WHERE agent_id = 'v{v}';
UPDATE tasks SET inputs = '{"primary": [{"filename": "large.csv", "key": "k", "size": 1, "upload_id": "open"}]}'
FROM users WHERE users.id = user_id AND email LIKE 'v{v}-%' AND status = 'EXPIRED';
