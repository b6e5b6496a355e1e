import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { checkSchema, migrate, schemaVersion } from "./migrate.ts";
import { MIGRATIONS } from "./migrations.ts";

const SECOND = "ALTER TABLE settings ADD COLUMN note TEXT";

describe("migrate", () => {
  it("takes an empty file and an older one to the same schema, and does nothing twice", () => {
    const fresh = new DatabaseSync(":memory:");
    migrate(fresh, [...MIGRATIONS, SECOND]);
    const older = new DatabaseSync(":memory:");
    migrate(older, MIGRATIONS);
    older.exec("INSERT INTO settings (key, value) VALUES ('kept', 'yes')");
    migrate(older, [...MIGRATIONS, SECOND]);
    migrate(older, [...MIGRATIONS, SECOND]);
    const schema = (db: DatabaseSync) => db.prepare("SELECT name, sql FROM sqlite_schema ORDER BY name").all();
    expect(schema(older)).toEqual(schema(fresh));
    expect(schemaVersion(older)).toBe(MIGRATIONS.length + 1);
    expect(older.prepare("SELECT value FROM settings").get()).toEqual({ value: "yes" });
  });

  it("undoes a step that fails, and keeps those before it", () => {
    const db = new DatabaseSync(":memory:");
    expect(() => migrate(db, [...MIGRATIONS, "CREATE TABLE half (a); CREATE TABLE settings (a)"])).toThrow(/settings/);
    expect(schemaVersion(db)).toBe(MIGRATIONS.length);
    expect(() => db.prepare("SELECT * FROM half")).toThrow(/no such table/);
    migrate(db, [...MIGRATIONS, SECOND]);
  });

  it("refuses a schema that it does not know", () => {
    const db = new DatabaseSync(":memory:");
    migrate(db, [...MIGRATIONS, SECOND]);
    expect(() => checkSchema(db, "/x.db", MIGRATIONS)).toThrow(/has schema 2, and this program knows schemas up to 1/);
    expect(() => checkSchema(db, "/x.db", [...MIGRATIONS, SECOND])).not.toThrow();
  });
});
