-- a tree within each tenant: the key to its own table shares a column with another key
CREATE TABLE tenant (id int PRIMARY KEY);
CREATE TABLE page (
  tenant_id int NOT NULL REFERENCES tenant,
  id int NOT NULL,
  parent_id int,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, parent_id) REFERENCES page (tenant_id, id)
);
