-- What is on sale. `announced_at` remembers that the product was published: a restart, or a second
-- instance that starts at the same moment, does not publish it again.
create table products (
    sku          text primary key check (sku ~ '^[A-Z0-9-]{1,64}$'),
    name         text not null,
    price_cents  bigint not null check (price_cents >= 0),
    currency     text not null check (currency ~ '^[A-Z]{3}$'),
    announced_at timestamptz
);

-- How many pieces there are, and where. Every piece that ever came in is on the shelf, set aside or
-- sold; the database refuses any bookkeeping that says otherwise.
create table stock (
    sku       text primary key references products,
    available bigint not null check (available >= 0),
    reserved  bigint not null default 0 check (reserved >= 0),
    sold      bigint not null default 0 check (sold >= 0),
    initial   bigint not null check (initial >= 0),
    restocked bigint not null default 0 check (restocked >= 0),
    -- Rises with every published change.
    version   bigint not null default 1,
    constraint no_piece_is_lost check (initial + restocked = available + reserved + sold)
)
-- Few rows that change all the time: with room in the page, an update touches no index.
with (fillfactor = 20);

-- What was decided for an order: one row, however often a command arrives.
create table reservations (
    order_id uuid primary key,
    -- `released` without lines means that the release overtook the reservation.
    status   text not null check (status in ('reserved', 'refused', 'released', 'sold')),
    -- The reserved pieces, as [{"sku", "quantity"}]; empty when nothing was ever reserved.
    lines    jsonb not null,
    -- Rises with every change of status, so that a writer notices when another was faster.
    version  int not null
)
with (fillfactor = 80);

-- Deliveries to the warehouse. A repeated request finds its first answer here.
create table restocks (
    id              uuid primary key,
    idempotency_key text unique,
    sku             text not null references products,
    quantity        bigint not null check (quantity > 0),
    -- The level that the request was answered with.
    available       bigint not null,
    reserved        bigint not null,
    sold            bigint not null,
    version         bigint not null,
    created_at      timestamptz not null default now()
);
