-- Why stock was refused, for whoever asks again and gets the same answer. Unknown for what was refused before.
alter table reservations add column reason text;
