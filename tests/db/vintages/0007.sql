INSERT INTO collections (id, user_id, name, status, reason, embedding_model, dimensions, document_count, chunk_count, task_id)
SELECT md5('collection {v} ' || id)::uuid, id, 'handbook', 'active', 'none', 'local:hashing-384', 3, 1, 1, md5('batch {v} ' || id)::uuid
FROM users WHERE email LIKE 'v{v}-%';
INSERT INTO collection_ingests (collection_id, task_id)
SELECT md5('collection {v} ' || id)::uuid, md5('task {v} ' || id || 'runs')::uuid FROM users WHERE email LIKE 'v{v}-%';
INSERT INTO collection_documents (collection_id, task_id, name, state, chunk_count)
SELECT md5('collection {v} ' || id)::uuid, md5('batch {v} ' || id)::uuid, state, state, 1
FROM users, unnest('{staged,live,removed}'::text[]) state WHERE email LIKE 'v{v}-%';
INSERT INTO collection_chunks (document_id, position, id, content, metadata, embedding)
SELECT document.id, 0, md5('chunk'), 'A sentence.', '{"page": 1}', '[0.1, 0.2, 0.3]' FROM collection_documents document
WHERE NOT EXISTS (SELECT FROM collection_chunks WHERE document_id = document.id);
