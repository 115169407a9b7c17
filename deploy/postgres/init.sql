-- Each service has a database that only its own user can connect to.
CREATE ROLE "order" LOGIN PASSWORD 'demo-order';
CREATE ROLE inventory LOGIN PASSWORD 'demo-inventory';
CREATE ROLE notification LOGIN PASSWORD 'demo-notification';
CREATE ROLE console LOGIN PASSWORD 'demo-console';

CREATE DATABASE "order" OWNER "order";
CREATE DATABASE inventory OWNER inventory;
CREATE DATABASE notification OWNER notification;
CREATE DATABASE console OWNER console;

REVOKE CONNECT ON DATABASE "order", inventory, notification, console FROM PUBLIC;
