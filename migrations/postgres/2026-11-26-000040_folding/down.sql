ALTER TABLE board_deltas
    RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold, autovacuum_vacuum_cost_delay);
ALTER TABLE outbox
    RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold, autovacuum_vacuum_cost_delay);
ALTER TABLE accounts RESET (fillfactor);
ALTER TABLE user_totals RESET (fillfactor);
ALTER TABLE board_scores
    ADD CONSTRAINT board_scores_program_id_fkey FOREIGN KEY (program_id) REFERENCES programs (id),
    ADD CONSTRAINT board_scores_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id);
ALTER TABLE board_deltas
    ADD CONSTRAINT board_deltas_program_id_fkey FOREIGN KEY (program_id) REFERENCES programs (id),
    ADD CONSTRAINT board_deltas_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id);
ALTER TABLE transfers ADD CONSTRAINT transfers_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id);
ALTER TABLE rewards
    ADD CONSTRAINT rewards_referred_id_fkey FOREIGN KEY (referred_id) REFERENCES referrals (referred_id),
    ADD CONSTRAINT rewards_program_id_fkey FOREIGN KEY (program_id) REFERENCES programs (id);
