-- The range: twelve products for a day on the river. There is plenty of all but one, so that only
-- whoever wants the gate wheel has to be quick.
insert into products (sku, name, price_cents, currency) values
    ('KAYAK-SOLO',    'Solo kayak, 3.2 m',           54900, 'EUR'),
    ('PADDLE-CARBON', 'Carbon paddle',               12900, 'EUR'),
    ('VEST-BUOYANCY', 'Buoyancy vest',                7990, 'EUR'),
    ('HELMET-RIVER',  'River helmet',                 5950, 'EUR'),
    ('WADERS-CHEST',  'Chest waders',                11900, 'EUR'),
    ('GLOVES-NEO',    'Neoprene gloves',              1990, 'EUR'),
    ('ROPE-THROW',    'Throw rope, 20 m',             3490, 'EUR'),
    ('DRYBAG-20',     'Dry bag, 20 l',                2490, 'EUR'),
    ('BOTTLE-STEEL',  'Steel bottle, 1 l',            1750, 'EUR'),
    ('LAMP-HEAD',     'Head lamp',                    3990, 'EUR'),
    ('MAP-RIVERS',    'Map of rivers and weirs',      1290, 'EUR'),
    ('GATE-WHEEL',    'Brass sluice gate wheel',    189000, 'EUR');

insert into stock (sku, available, initial)
select sku, pieces, pieces
from products, lateral (select case sku when 'GATE-WHEEL' then 3 else 10000000 end as pieces) as seed;
