import fc from "fast-check";
import protobuf from "protobufjs";

/** A value in the shape that protobufjs encodes, and the same in the shape that the generated code encodes. */
export interface Twin {
  readonly reflected: unknown;
  readonly generated: unknown;
}

const STRUCT = ".google.protobuf.Struct";

/** Any Unicode, without lone surrogates: those have no encoding, and a test of their own. */
const text = fc.string({ unit: "binary", maxLength: 24 });
/**
 * "__proto__" is a property that JavaScript treats specially, and empty keys and values of maps are written in two ways:
 * both have tests of their own.
 */
const key = text.filter((name) => name !== "__proto__" && name !== "");

/** Random messages of one type. Messages below `depth` levels are left out. */
export function twinOf(type: protobuf.Type, depth = 4): fc.Arbitrary<Twin> {
  const plain = type.fieldsArray.filter((field) => field.partOf === null);
  const fields = fc.tuple(...plain.map((field) => fieldOf(field, depth)));
  const oneofs = fc.tuple(...type.oneofsArray.map((oneof) => memberOf(oneof, depth)));
  return fc.tuple(fields, oneofs).map(([values, members]) => {
    const reflected: Record<string, unknown> = {};
    const generated: Record<string, unknown> = {};
    values.forEach((value, index) => {
      if (value === undefined) return;
      reflected[plain[index]!.name] = value.reflected;
      generated[plain[index]!.name] = value.generated;
    });
    members.forEach((member, index) => {
      if (member === undefined) return;
      reflected[member.name] = member.twin.reflected;
      generated[type.oneofsArray[index]!.name] = { $case: member.name, value: member.twin.generated };
    });
    return { reflected, generated };
  });
}

function memberOf(oneof: protobuf.OneOf, depth: number): fc.Arbitrary<{ name: string; twin: Twin } | undefined> {
  const members = oneof.fieldsArray.map((field) => single(field, depth).map((twin) => ({ name: field.name, twin })));
  return fc.oneof(fc.constant(undefined), ...members);
}

function fieldOf(field: protobuf.Field, depth: number): fc.Arbitrary<Twin | undefined> {
  const value = single(field, depth);
  if (field.map) {
    const entry = value.filter((twin) => twin.generated !== "" && twin.generated !== 0);
    return fc.uniqueArray(fc.tuple(key, entry), { maxLength: 4, selector: ([name]) => name }).map((entries) => ({
      reflected: Object.fromEntries(entries.map(([name, twin]) => [name, twin.reflected])),
      generated: Object.fromEntries(entries.map(([name, twin]) => [name, twin.generated])),
    }));
  }
  if (field.repeated) {
    return fc.array(value, { maxLength: 4 }).map((twins) => ({
      reflected: twins.map((twin) => twin.reflected),
      generated: twins.map((twin) => twin.generated),
    }));
  }
  if (!(field.resolvedType instanceof protobuf.Type)) return value;
  return depth === 0 ? fc.constant(undefined) : fc.option(value, { nil: undefined });
}

function single(field: protobuf.Field, depth: number): fc.Arbitrary<Twin> {
  const { resolvedType } = field;
  if (resolvedType instanceof protobuf.Type)
    return resolvedType.fullName === STRUCT ? struct : twinOf(resolvedType, depth - 1);
  // An open enum: numbers that only a newer peer knows must survive.
  if (resolvedType instanceof protobuf.Enum) return same(fc.nat({ max: 40 }));
  switch (field.type) {
    case "string":
      return same(text);
    case "bytes":
      return same(fc.uint8Array({ maxLength: 40 }));
    case "bool":
      return same(fc.boolean());
    case "int32":
      return same(fc.integer());
    case "uint32":
      return same(fc.nat({ max: 0xffffffff }));
    case "int64":
      return same(fc.maxSafeInteger());
    case "double":
      // Minus zero in a plain field has a test of its own.
      return same(fc.double().filter((number) => !Object.is(number, -0)));
    default:
      throw new Error(`No values for type "${field.type}" of ${field.fullName}`);
  }
}

function same(values: fc.Arbitrary<unknown>): fc.Arbitrary<Twin> {
  return values.map((value) => ({ reflected: value, generated: value }));
}

/** Values of a Struct: reflected as `{ numberValue: 1 }` and so on, generated as the plain value. */
const value: fc.Arbitrary<Twin> = fc.letrec<{ value: Twin }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.constant({ reflected: { nullValue: 0 }, generated: null }),
    fc.double().map((number) => ({ reflected: { numberValue: number }, generated: number })),
    text.map((string) => ({ reflected: { stringValue: string }, generated: string })),
    fc.boolean().map((bool) => ({ reflected: { boolValue: bool }, generated: bool })),
    fc.array(tie("value"), { maxLength: 4 }).map((values) => ({
      reflected: { listValue: { values: values.map((entry) => entry.reflected) } },
      generated: values.map((entry) => entry.generated),
    })),
    entriesOf(tie("value")).map(({ reflected, generated }) => ({
      reflected: { structValue: { fields: reflected } },
      generated,
    })),
  ),
})).value;

const struct: fc.Arbitrary<Twin> = entriesOf(value).map(({ reflected, generated }) => ({
  reflected: { fields: reflected },
  generated,
}));

function entriesOf(values: fc.Arbitrary<Twin>): fc.Arbitrary<Twin> {
  return fc.uniqueArray(fc.tuple(key, values), { maxLength: 4, selector: ([name]) => name }).map((entries) => ({
    reflected: Object.fromEntries(entries.map(([name, twin]) => [name, twin.reflected])),
    generated: Object.fromEntries(entries.map(([name, twin]) => [name, twin.generated])),
  }));
}
