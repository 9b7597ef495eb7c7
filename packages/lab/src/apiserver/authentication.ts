import { TLSSocket } from 'node:tls';
import { forbidden, StatusError } from './status';

export interface User {
  name: string;
  groups: string[];
}

const allowedGroups = [
  'system:masters',
  'kubeadm:cluster-admins',
  'system:nodes',
];
const allowedUsers = [
  'system:kube-controller-manager',
  'system:kube-scheduler',
];

function list(value: string | string[] | undefined): string[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}

/** Who a client certificate signed by --client-ca-file speaks for. */
export function authenticate(socket: TLSSocket): User {
  const subject = socket.authorized && socket.getPeerCertificate().subject;
  if (!subject || !subject.CN) {
    throw new StatusError(401, 'Unauthorized', 'Unauthorized');
  }
  return {
    name: list(subject.CN)[0],
    groups: [...list(subject.O), 'system:authenticated'],
  };
}

/** Stands in for RBAC: those whom kubeadm gives a kubeconfig may do everything. */
export function authorize(user: User, method: string, path: string) {
  const allowed =
    user.groups.some(group => allowedGroups.includes(group)) ||
    allowedUsers.includes(user.name);
  if (!allowed) {
    throw forbidden(
      `forbidden: User "${
        user.name
      }" cannot ${method.toLowerCase()} path "${path}"`,
    );
  }
}
