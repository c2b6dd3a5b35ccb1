-- composite keys that share the tenant's column: all parents must be of one tenant
CREATE TABLE tenant (id int PRIMARY KEY);
CREATE TABLE member (tenant_id int REFERENCES tenant, id int, PRIMARY KEY (tenant_id, id));
CREATE TABLE project (tenant_id int REFERENCES tenant, id int, PRIMARY KEY (tenant_id, id));
CREATE TABLE task (
  id bigint PRIMARY KEY,
  tenant_id int NOT NULL REFERENCES tenant,
  member_id int,
  project_id int NOT NULL,
  FOREIGN KEY (tenant_id, member_id) REFERENCES member,
  FOREIGN KEY (tenant_id, project_id) REFERENCES project
);
