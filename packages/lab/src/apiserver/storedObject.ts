import { decode, encode } from './codec';
import { KeyValue } from './etcd';
import { apiVersion, Kind } from './kinds';
import { messages } from './messages';

/** What marks a value as protobuf, before a runtime.Unknown. @public */
export const PROTOBUF_MAGIC = Buffer.from('k8s\0');

export interface KubernetesObject {
  apiVersion?: string;
  kind?: string;
  metadata: {
    name: string;
    namespace?: string;
    uid?: string;
    resourceVersion?: string;
    generation?: number;
    creationTimestamp?: string;
    deletionTimestamp?: string;
    labels?: Record<string, string>;
    finalizers?: string[];
    [field: string]: any;
  };
  [field: string]: any;
}

/** The bytes to store: the revision is etcd's to tell and never among them. */
export function encodeObject(kind: Kind, object: KubernetesObject): Buffer {
  const { resourceVersion, ...metadata } = object.metadata;
  const typeMeta = { apiVersion: apiVersion(kind), kind: kind.kind };
  if (!kind.message) {
    const { apiVersion: _, kind: __, metadata: ___, ...rest } = object;
    return Buffer.from(
      `${JSON.stringify({ ...typeMeta, metadata, ...rest })}\n`,
    );
  }
  const raw = encode(kind.message, { ...object, metadata });
  return Buffer.concat([
    PROTOBUF_MAGIC,
    encode(messages.Unknown, { typeMeta, raw }),
  ]);
}

/** The object in stored bytes, as the API shows it. */
export function decodeObject(
  kind: Kind,
  content: Buffer,
  modRevision: number,
): KubernetesObject {
  let object: KubernetesObject;
  if (content.subarray(0, PROTOBUF_MAGIC.length).equals(PROTOBUF_MAGIC)) {
    const { typeMeta, raw } = decode(
      messages.Unknown,
      content.subarray(PROTOBUF_MAGIC.length),
    );
    if (!kind.message) throw new Error(`${kind.kind} is stored as protobuf`);
    object = {
      kind: typeMeta.kind,
      apiVersion: typeMeta.apiVersion,
      ...decode(kind.message, raw ?? Buffer.alloc(0)),
    };
  } else {
    object = JSON.parse(content.toString());
  }
  object.metadata.resourceVersion = String(modRevision);
  return object;
}

export function objectOf(kind: Kind, stored: KeyValue): KubernetesObject {
  return decodeObject(kind, stored.value, stored.modRevision);
}
