import { isIP } from 'node:net';
import { addressInvalid } from './failures';
import { MachineAccess } from './Machine';

/** RFC 1123, and underscores, which some networks have. */
const HOST_NAME = /^(?=.{1,253}$)\w([\w-]{0,61}\w)?(\.\w([\w-]{0,61}\w)?)*\.?$/;
/** As useradd(8) has them, and those of directories: `DOMAIN\\name`, `name@domain`. */
const LOGIN = /^\w[\w.@\\+-]{0,254}\$?$/;

/**
 * Refuses what is no address, port or login name. Neither reaches a shell here; but they stand in messages, in
 * known_hosts and in commands that people are told to run.
 *
 * @throws ClusterBackupError `machine-address-invalid`
 */
export function refuseInvalidAddress(
  access: Pick<MachineAccess, 'name' | 'address' | 'port' | 'user'>,
) {
  const { address, user, port = 22 } = access;
  const isHost =
    typeof address === 'string' &&
    (isIP(address) > 0 || HOST_NAME.test(address));
  if (!isHost) {
    throw addressInvalid(access, 'its address is no IP address or host name');
  }
  if (!Number.isInteger(port) || port < 1 || port > 65535) {
    throw addressInvalid(access, 'its port is no number from 1 to 65535');
  }
  if (typeof user !== 'string' || !LOGIN.test(user)) {
    throw addressInvalid(access, 'its user is no login name');
  }
}
