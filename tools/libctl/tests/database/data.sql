-- Something in every schema: with quotes, line breaks, other alphabets, bytes, JSON, floats, infinities and NULLs.
INSERT INTO gateway.user_streams (user_id, version, last_sequence)
SELECT md5(n::text)::uuid, n, n FROM generate_series(1, 300) n;
INSERT INTO gateway.outbox (shard, user_id, topic, value)
SELECT n % 32, md5(n::text)::uuid, E'topic\n' || n, sha256(n::text::bytea) FROM generate_series(1, 300) n;
INSERT INTO gateway.inbox (subject_id, source, event_id)
SELECT md5(n::text)::uuid, 'platform', n::text FROM generate_series(1, 20000) n;
INSERT INTO library.products (product_id, title_ru, title_en)
SELECT md5(n::text)::uuid, 'Экспресс «' || n || '»', E'tab\there' FROM generate_series(1, 50) n;
INSERT INTO library.user_library_items (user_id, id, product_id, user_rating)
SELECT md5(n::text)::uuid, md5('i' || n)::uuid, md5(n::text)::uuid, n / 3.0 FROM generate_series(1, 300) n;
INSERT INTO playtime.playtime_sessions (user_id, id, product_id, start_time, last_heartbeat_at, device_id, client_session_id)
SELECT md5(n::text)::uuid, md5('s' || n)::uuid, md5(n::text)::uuid, now(), now(), 'deck', n FROM generate_series(1, 50) n;
INSERT INTO achievements.achievement_metadata (id, product_id, api_name, description_ru)
SELECT md5('a' || n)::uuid, md5(n::text)::uuid, 'first', '' FROM generate_series(1, 20) n;
INSERT INTO achievements.rarity_deltas (product_id, delta)
SELECT md5(n::text)::uuid, n FROM generate_series(1, 20) n;
INSERT INTO wishlist.wishlist_items (user_id, id, product_id, added_at, notes)
SELECT md5(n::text)::uuid, md5('w' || n)::uuid, md5(n::text)::uuid, now(), 'it''s \"this\"' FROM generate_series(1, 20) n;
INSERT INTO settings.game_specific_settings (user_id, product_id, settings_payload, revision, last_updated_at)
SELECT md5(n::text)::uuid, md5(n::text)::uuid, '{"b": 1, "a": [null, "я"]}', n, now() FROM generate_series(1, 20) n;
INSERT INTO savegames.savegame_contents (user_id, id, s3_object_key, file_size_bytes, file_hash_sha256, state, created_at)
SELECT md5(n::text)::uuid, md5('c' || n)::uuid, 'key/' || n, n, sha256(n::text::bytea), 'live', now() FROM generate_series(1, 20) n;
