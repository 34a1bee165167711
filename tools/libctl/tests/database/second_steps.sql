-- What the distribution of gateway 0.3.0 did first: keys and triggers for the release before it went.
ALTER TABLE gateway.outbox DROP CONSTRAINT pk_outbox, ADD CONSTRAINT pk_outbox PRIMARY KEY USING INDEX uq_outbox_user;
ALTER TABLE gateway.dead_letters DROP CONSTRAINT pk_dead_letters,
    ADD CONSTRAINT pk_dead_letters PRIMARY KEY USING INDEX uq_dead_letters_user;
DROP INDEX gateway.uq_audit_undo_of;
DROP TRIGGER nobody ON gateway.outbox;
DROP TRIGGER nobody ON gateway.refused_records;
DROP TRIGGER nobody ON gateway.dead_letters;
DROP TRIGGER nobody ON gateway.audit;
DROP TRIGGER share_change ON library.user_library_items;
DROP TRIGGER clear_slot_key ON savegames.savegame_slots;
DROP TRIGGER keep_contents_of_sets ON savegames.savegame_contents;
