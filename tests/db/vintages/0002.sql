INSERT INTO agent_paces (agent_id, seconds_per_mebibyte, median_seconds_per_mebibyte, samples, largest_mebibytes)
VALUES ('v{v}', 1.5, 1, 20, 50);
UPDATE admission_clock SET house_kept_at = clock_timestamp();
UPDATE workers SET memory_bytes = 1000000000 WHERE boot_uuid = md5('worker {v}')::uuid;
UPDATE task_steps SET error_detail = 'Traceback' WHERE status = 'FAILED' AND task_id IN (
    SELECT tasks.id FROM tasks JOIN users ON users.id = user_id WHERE email LIKE 'v{v}-%');
UPDATE tasks SET deleted_at = clock_timestamp(), inputs_cleaned_at = clock_timestamp(), outputs_cleaned_at = clock_timestamp()
FROM users WHERE users.id = user_id AND email LIKE 'v{v}-%' AND status = 'CANCELLED';
