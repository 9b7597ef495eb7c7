/**
 * A TCP connection made by bash, for machines whose sshd forbids forwarding. Host and port are its arguments.
 *
 * bash cannot close one direction of a socket: what is sent after our end is waited for a little, and then both
 * directions are closed. bash gives up its own copies of the session's output and errors, so that the end of what
 * the other side sends becomes the end of the channel's data.
 */
const SCRIPT = `
exec 3<>"/dev/tcp/$1/$2" || exit 1
printf 'connected\\n'
exec 2>/dev/null
cat <&3 &
reader=$!
exec >&3
cat
for _ in 1 2 3 4 5 6 7 8 9 10; do
  kill -0 "$reader" || exit 0
  sleep 0.5
done
kill "$reader"
`;

/** What the tunnel prints before the first byte of the other side. */
export const TUNNEL_GREETING = Buffer.from('connected\n');

export function tunnelCommand(host: string, port: number): string[] {
  return ['bash', '-c', SCRIPT, 'cluster-backup-tunnel', host, String(port)];
}
