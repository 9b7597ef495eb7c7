import { Reader, Writer } from 'protobufjs/minimal';

/**
 * A message as a table: the JSON name of each field, and `ID TYPE` with
 * `[]` for repeated, `map<TYPE>` for a map of strings, and one of these marks:
 * `!` written even when empty, `=` written and shown even when empty,
 * `@` a nested message whose fields stand in the enclosing JSON object.
 */
export type MessageTable = Record<string, string>;

/** A compiled message: what `encode` and `decode` work on. */
export interface Message {
  fields: Field[];
  byId: Map<number, Field>;
}

interface Field {
  id: number;
  name: string;
  type: string;
  shape: 'one' | 'many' | 'map';
  scalar?: Scalar;
  message?: Message;
  written: boolean;
  shown: boolean;
  inline: boolean;
}

interface Scalar {
  wireType: 0 | 2;
  empty: () => unknown;
  write(writer: Writer, value: any): void;
  read(reader: Reader): unknown;
}

const pattern = /^(\d+) (?:map<(\w+)>|(\w+)(\[\])?)([!=@]?)$/;

const int64 = (reader: Reader) => Number(reader.int64().toString());

const bytes = (buffer: Uint8Array) =>
  Buffer.from(buffer.buffer, buffer.byteOffset, buffer.length);

function timestamp(fractionDigits: 0 | 6): Scalar {
  return {
    wireType: 2,
    empty: () => null,
    write(writer, value: string | null) {
      writer.fork();
      if (value) {
        const seconds = Math.floor(Date.parse(value) / 1000);
        const fraction = /\.(\d+)/.exec(value)?.[1] ?? '';
        const nanos = fractionDigits
          ? Number(fraction.padEnd(9, '0').slice(0, 6)) * 1000
          : 0;
        writer.uint32(8).int64(seconds).uint32(16).int32(nanos);
      }
      writer.ldelim();
    },
    read(reader) {
      const end = reader.uint32() + reader.pos;
      let seconds: number | undefined;
      let nanos = 0;
      while (reader.pos < end) {
        const tag = reader.uint32();
        if (tag === 8) seconds = int64(reader);
        else if (tag === 16) nanos = reader.int32();
        else reader.skipType(tag & 7);
      }
      if (seconds === undefined) return null;
      const whole = new Date(seconds * 1000).toISOString().slice(0, 19);
      const micros = Math.floor(nanos / 1000)
        .toString()
        .padStart(6, '0');
      return fractionDigits ? `${whole}.${micros}Z` : `${whole}Z`;
    },
  };
}

/** One string or bytes in a message of its own, shown in JSON as that value. */
function wrapped(
  toBytes: (value: any) => Uint8Array,
  fromBytes: (value: Buffer) => unknown,
): Scalar {
  return {
    wireType: 2,
    empty: () => undefined,
    write(writer, value) {
      writer.fork().uint32(10).bytes(toBytes(value)).ldelim();
    },
    read(reader) {
      const end = reader.uint32() + reader.pos;
      let content: Buffer = Buffer.alloc(0);
      while (reader.pos < end) {
        const tag = reader.uint32();
        if (tag === 10) content = bytes(reader.bytes());
        else reader.skipType(tag & 7);
      }
      return fromBytes(content);
    },
  };
}

const scalars: Record<string, Scalar> = {
  string: {
    wireType: 2,
    empty: () => '',
    write: (writer, value) => writer.string(String(value)),
    read: reader => reader.string(),
  },
  base64: {
    wireType: 2,
    empty: () => '',
    write: (writer, value) => writer.bytes(Buffer.from(value, 'base64')),
    read: reader => bytes(reader.bytes()).toString('base64'),
  },
  raw: {
    wireType: 2,
    empty: () => Buffer.alloc(0),
    write: (writer, value) => writer.bytes(value),
    read: reader => bytes(reader.bytes()),
  },
  bool: {
    wireType: 0,
    empty: () => false,
    write: (writer, value) => writer.bool(value),
    read: reader => reader.bool(),
  },
  int32: {
    wireType: 0,
    empty: () => 0,
    write: (writer, value) => writer.int32(value),
    read: reader => reader.int32(),
  },
  int64: {
    wireType: 0,
    empty: () => 0,
    write: (writer, value) => writer.int64(value),
    read: int64,
  },
  // 64-bit identifiers do not fit a number
  id: {
    wireType: 0,
    empty: () => '0',
    write: (writer, value) => writer.int64(value),
    read: reader => reader.int64().toString(),
  },
  Time: timestamp(0),
  MicroTime: timestamp(6),
  Quantity: wrapped(
    value => Buffer.from(String(value)),
    content => content.toString(),
  ),
  FieldsV1: wrapped(
    value => Buffer.from(JSON.stringify(value)),
    content => (content.length ? JSON.parse(content.toString()) : {}),
  ),
  IntOrString: {
    wireType: 2,
    empty: () => undefined,
    write(writer, value) {
      const text = typeof value === 'string';
      writer.fork();
      writer.uint32(8).int64(text ? 1 : 0);
      writer.uint32(16).int32(text ? 0 : value);
      writer.uint32(26).string(text ? value : '');
      writer.ldelim();
    },
    read(reader) {
      const end = reader.uint32() + reader.pos;
      let text = false;
      let number = 0;
      let string = '';
      while (reader.pos < end) {
        const tag = reader.uint32();
        if (tag === 8) text = int64(reader) === 1;
        else if (tag === 16) number = reader.int32();
        else if (tag === 26) string = reader.string();
        else reader.skipType(tag & 7);
      }
      return text ? string : number;
    },
  },
};

/** Compiles tables that may refer to each other by name. */
export function compileMessages<Name extends string>(
  tables: Record<Name, MessageTable>,
): Record<Name, Message> {
  const messages = Object.fromEntries(
    Object.keys(tables).map(name => [name, { fields: [], byId: new Map() }]),
  ) as unknown as Record<string, Message>;
  for (const [name, table] of Object.entries<MessageTable>(tables)) {
    for (const [field, text] of Object.entries(table)) {
      const match = pattern.exec(text);
      const type = match?.[2] ?? match?.[3];
      if (!match || !type || !(type in scalars || type in messages)) {
        throw new Error(`${name}.${field}: cannot read "${text}"`);
      }
      const [, id, map, , many, mark] = match;
      messages[name].fields.push({
        id: Number(id),
        name: field,
        type,
        shape: (map && 'map') || (many && 'many') || 'one',
        scalar: scalars[type],
        message: messages[type],
        written: mark !== '',
        shown: mark === '=',
        inline: mark === '@',
      });
    }
    messages[name].fields.sort((a, b) => a.id - b.id);
    for (const field of messages[name].fields) {
      messages[name].byId.set(field.id, field);
    }
  }
  return messages as Record<Name, Message>;
}

function writeOne(writer: Writer, field: Field, value: any, id = field.id) {
  if (field.message) {
    writeFields(
      field.message,
      value ?? {},
      writer.uint32(id * 8 + 2).fork(),
    ).ldelim();
  } else if (field.scalar) {
    writer.uint32(id * 8 + field.scalar.wireType);
    field.scalar.write(writer, value ?? field.scalar.empty());
  }
}

function writeFields(message: Message, object: any, writer: Writer): Writer {
  for (const field of message.fields) {
    const value = field.inline ? object : object[field.name];
    if (field.shape === 'one') {
      if (field.written || (value !== undefined && value !== null)) {
        writeOne(writer, field, value);
      }
    } else if (field.shape === 'many') {
      for (const item of value ?? []) writeOne(writer, field, item);
    } else {
      for (const key of Object.keys(value ?? {}).sort()) {
        writer
          .uint32(field.id * 8 + 2)
          .fork()
          .uint32(10)
          .string(key);
        writeOne(writer, field, value[key], 2);
        writer.ldelim();
      }
    }
  }
  return writer;
}

function readOne(reader: Reader, field: Field, into?: any): unknown {
  return field.message
    ? readFields(field.message, reader, reader.uint32() + reader.pos, into)
    : field.scalar?.read(reader);
}

function readEntry(reader: Reader, field: Field, into: any): any {
  const end = reader.uint32() + reader.pos;
  let key = '';
  let value: unknown;
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag >>> 3 === 1) key = reader.string();
    else if (tag >>> 3 === 2) value = readOne(reader, field);
    else reader.skipType(tag & 7);
  }
  return Object.assign(into ?? {}, {
    [key]: value ?? field.scalar?.empty() ?? {},
  });
}

function isEmpty(value: any): boolean {
  return (
    !value || (typeof value === 'object' && Object.keys(value).length === 0)
  );
}

function empty(field: Field): unknown {
  if (field.shape === 'many') return [];
  if (field.shape === 'map') return {};
  return field.scalar ? field.scalar.empty() : {};
}

function readFields(
  message: Message,
  reader: Reader,
  end: number,
  object: any = {},
): any {
  for (const field of message.fields) {
    if (field.shown) object[field.name] = empty(field);
  }
  while (reader.pos < end) {
    const tag = reader.uint32();
    const field = message.byId.get(tag >>> 3);
    if (!field) {
      reader.skipType(tag & 7);
    } else if (field.inline) {
      readOne(reader, field, object);
    } else if (field.shape === 'many') {
      (object[field.name] ??= []).push(readOne(reader, field));
    } else if (field.shape === 'map') {
      object[field.name] = readEntry(reader, field, object[field.name]);
    } else {
      const value = readOne(reader, field);
      if (!field.written || field.shown || !isEmpty(value)) {
        object[field.name] = value;
      }
    }
  }
  return object;
}

/** Protobuf bytes of a JSON object; fields that the table lacks are dropped. */
export function encode(message: Message, object: object): Buffer {
  return bytes(writeFields(message, object, Writer.create()).finish());
}

/** The JSON object of protobuf bytes; unknown fields are passed over. */
export function decode(message: Message, content: Uint8Array): any {
  const reader = Reader.create(content);
  return readFields(message, reader, reader.len);
}
