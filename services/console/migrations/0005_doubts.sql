-- Nobody knows whether the message took effect, and this is the name of that doubt. Its consumer tells by it what
-- somebody replays from a copy that came by itself.
alter table letters add column doubt uuid;
-- The doubt that whoever pressed the button was told of, and no later one: what is sent once more after a crash is a copy.
alter table replays add column doubt uuid;
