import { LabNode } from '../LabNode';

const HIDDEN = '/run/lab/hidden';
const FILLER = '/var/lib/etcd/filler';

/** Makes a machine less than it should be. @public */
export class SystemLevers {
  constructor(
    private readonly node: LabNode,
    private readonly power: { off(): Promise<void>; on(): Promise<void> },
  ) {}

  async stopKubelet(): Promise<void> {
    await this.node.ask('stopUnit', { name: 'kubelet' });
  }

  async startKubelet(): Promise<void> {
    await this.node.ask('startUnit', { name: 'kubelet' });
  }

  /** Stops every process of the machine where it stands; SSH connections hear nothing any more. */
  async freeze(): Promise<void> {
    await this.node.exec(['sh', '-c', 'kill -STOP -1'], { accept: 'any' });
  }

  async thaw(): Promise<void> {
    await this.node.exec(['sh', '-c', 'kill -CONT -1'], { accept: 'any' });
  }

  /** Pulls the plug. What is on the machine's disk stays, what is in memory (`etcdDisk` too) does not. */
  powerOff(): Promise<void> {
    return this.power.off();
  }

  /** Starts it again with the same addresses and the same port; does not wait for etcd. */
  powerOn(): Promise<void> {
    return this.power.on();
  }

  /** A read-only file system from this directory on, for whoever logs in. */
  async makeUnwritable(directory: string): Promise<void> {
    await this.node.exec(['mount', '--bind', directory, directory]);
    await this.node.exec(['mount', '-o', 'remount,bind,ro', directory]);
  }

  async makeWritable(directory: string): Promise<void> {
    await this.node.exec(['umount', directory]);
  }

  /**
   * Leaves no byte free where etcd's data is.
   *
   * @throws Error in a lab without `etcdDisk`, where this would fill the machine that the lab runs on.
   */
  async fillDisk(): Promise<void> {
    await this.node.exec(['mountpoint', '-q', '/var/lib/etcd']);
    await this.node.exec(
      ['dd', 'if=/dev/zero', `of=${FILLER}`, 'bs=64K', 'status=none'],
      { accept: [1] },
    );
  }

  async freeDisk(): Promise<void> {
    await this.node.exec(['rm', '-f', FILLER]);
  }

  /** No program of this name is found any more. */
  async hideTool(name: string): Promise<void> {
    await this.node.exec([
      'sh',
      '-euc',
      String.raw`
        path=$(command -v "$1")
        folder=$(dirname "$(readlink -f "$path")")
        hidden=${HIDDEN}/$1
        mkdir -p "$hidden/upper" "$hidden/work"
        chmod 755 "$hidden/upper"
        mount -t overlay overlay -o "lowerdir=$folder,upperdir=$hidden/upper,workdir=$hidden/work" "$folder"
        echo "$folder" >"$hidden/folder"
        rm "$path"`,
      'sh',
      name,
    ]);
  }

  /** Tools come back in the reverse of the order in which they were hidden. */
  async showTool(name: string): Promise<void> {
    await this.node.exec([
      'sh',
      '-euc',
      `umount -l "$(cat ${HIDDEN}/$1/folder)"; rm -rf "${HIDDEN}/$1"`,
      'sh',
      name,
    ]);
  }

  /** The program `date` of this machine is off by so much. Its real clock, which is everyone's, is not. */
  async skewClock(seconds: number): Promise<void> {
    await this.node.writeFile(
      '/usr/local/bin/date',
      `#!/bin/sh\nexec /usr/bin/date --date='${seconds} seconds' "$@"\n`,
    );
    await this.node.exec(['chmod', '755', '/usr/local/bin/date']);
  }

  async setClockRight(): Promise<void> {
    await this.node.exec(['rm', '-f', '/usr/local/bin/date']);
  }
}
