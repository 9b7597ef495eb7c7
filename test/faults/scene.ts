/* eslint-disable jest/no-standalone-expect -- the rule does not know that methods are helpers of tests */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  BackupResult,
  resumeRestore,
  undoRestore,
} from '@cluster-backup/engine';
import { LabNode, LabOptions } from '@cluster-backup/lab';
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { setStage, Stage } from '../integration/stage';
import { contentsAt, differences, KeyFacts } from '../proof/contents';
import { membersAgree } from '../proof/members';

/** What a cluster is, as far as a restore changes it. */
export interface Sight {
  contents: Map<string, KeyFacts>;
  clusterId: string;
  /** By machine: manifests, by content, and all that a restore may leave lying around. */
  files: Record<string, string>;
}

// Journals and fences stay; that an operation is under way does not.
const FILES = `cd /etc/kubernetes
sha256sum manifests/* pki/* 2>/dev/null
stat -c '%n %a %u:%g' pki/*
ls -d /var/lib/etcd-events/.cluster-backup-* 2>/dev/null
ls -d cluster-backup-* /var/lib/etcd/.cluster-backup-* /var/lib/cluster-backup/current 2>/dev/null
stat -c '%n %a %u:%g' manifests /var/lib/etcd /var/lib/etcd/member
grep -ls -e '[.]cluster-backup-restore-' /proc/[0-9]*/cmdline
true`;

// Another key to sign ServiceAccount tokens with: this machine's files have to be put back.
const REPLACE_KEY = `cd /etc/kubernetes/pki
openssl ecparam -genkey -name prime256v1 -noout > sa.key
openssl ec -in sa.key -pubout > sa.pub 2>/dev/null`;

// A member that never comes up again: etcd-events has to be made anew.
const BREAK_EVENTS = `for file in /var/lib/etcd-events/member/wal/*.wal; do echo broken > "$file"; done
crictl stop $(crictl ps -q --label "io.kubernetes.pod.name=etcd-events-$1") >/dev/null`;

/** A lab with a backup in it and writes and damage after the backup, for one restore after another. */
export class Scene {
  private backup?: BackupResult;
  private atBackup = new Map<string, KeyFacts>();
  private filesAtBackup: Sight['files'] = {};
  private before?: Sight;
  private marks = 0;

  private constructor(readonly stage: Stage, private readonly api: CoreV1Api) {}

  static async set(
    login: 'root' | 'sudo',
    flavor: LabOptions['flavor'] = 'kubeadm',
  ): Promise<Scene> {
    const stage = await setStage({
      nodes: 3,
      login,
      flavor,
      apiServerStopSeconds: 1,
    });
    const config = new KubeConfig();
    config.loadFromString(await stage.lab.kubeconfig());
    return new Scene(stage, config.makeApiClient(CoreV1Api));
  }

  async stop(): Promise<void> {
    await this.stage.stop();
  }

  /** Takes a backup, unless there is one of what is there, and writes something after it. */
  async prepare(): Promise<BackupResult> {
    const { lab } = this.stage;
    if (!this.backup) {
      await this.mark();
      this.backup = await this.stage.backUp();
      const { revision } = this.backup.summary.facts;
      this.atBackup = await contentsAt(lab.nodes[0], revision);
      this.filesAtBackup = (await this.look()).files;
      await this.damage();
    }
    await this.mark();
    this.before = await this.look();
    expect(differences(this.atBackup, this.before.contents)).not.toEqual([]);
    return this.backup;
  }

  /** What a restore has to put right besides the data. It stays until one did. */
  private async damage() {
    const { gdc, nodes } = this.stage.lab;
    await nodes[1].exec(['sh', '-euc', REPLACE_KEY]);
    if (!gdc) return;
    for (const node of nodes.slice(1)) {
      await node.exec(['sh', '-euc', BREAK_EVENTS, 'sh', node.name]);
    }
  }

  async resume(): Promise<void> {
    const { stage, backup } = this;
    await resumeRestore({
      cluster: stage.access,
      archive: stage.archive(backup!),
    });
  }

  async undo(): Promise<void> {
    const { stage, backup } = this;
    await undoRestore({
      cluster: stage.access,
      archive: stage.archive(backup!),
    });
  }

  async proveRefused(way: 'resume' | 'undo', code: string): Promise<void> {
    await expect(this[way]()).rejects.toMatchObject({ code });
  }

  /** The archive's contents, on members of one new cluster; of the restore only the kept data is left. */
  async proveRestored(): Promise<void> {
    const { gdc, nodes } = this.stage.lab;
    const now = await this.look();
    expect(differences(this.atBackup, now.contents)).toEqual([]);
    expect(now.clusterId).not.toBe(this.before!.clusterId);
    for (const node of nodes) {
      const kept = await node.exec([
        'sh',
        '-c',
        'ls -A /var/lib/etcd/.cluster-backup-*; rm -rf /var/lib/etcd/.cluster-backup-*',
      ]);
      const back = node === nodes[1] ? 'kept-files\n' : '';
      expect(kept.stdout).toBe(`kept\n${back}`);
      if (gdc) expect(await node.etcdEvents.healthy()).toBe(true);
    }
    expect((await this.look()).files).toEqual(this.filesAtBackup);
    await this.proveWell();
    // What is there now is another history than that of the backup.
    this.backup = undefined;
  }

  /** Everything as it was when the restore began, what was written after the backup included. */
  async proveAsBefore(): Promise<void> {
    const now = await this.look();
    expect(now.files).toEqual(this.before!.files);
    expect(differences(this.before!.contents, now.contents)).toEqual([]);
    expect(now.clusterId).toBe(this.before!.clusterId);
    await this.proveWell();
  }

  private async proveWell() {
    const { nodes } = this.stage.lab;
    expect(await membersAgree(nodes)).toEqual([]);
    for (const node of nodes) await this.proveReady(node);
    await this.mark();
  }

  private async proveReady(node: LabNode) {
    const { code, stderr } = await node.exec(
      [
        'curl',
        '-sSfk',
        '-m',
        '5',
        `https://${node.internalAddress}:${
          this.stage.lab.gdc ? 6444 : 6443
        }/readyz`,
      ],
      { accept: 'any' },
    );
    expect([node.name, code, stderr]).toEqual([node.name, 0, '']);
  }

  async look(): Promise<Sight> {
    const { nodes } = this.stage.lab;
    const files: Record<string, string> = {};
    for (const node of nodes) {
      files[node.name] = (await node.exec(['sh', '-c', FILES])).stdout;
    }
    const status = await nodes[0].etcdctl([
      'endpoint',
      'status',
      '--write-out=json',
    ]);
    return {
      contents: await contentsAt(nodes[0]),
      clusterId: /"cluster_id":(\d+)/.exec(status.stdout)![1],
      files,
    };
  }

  /** Through the API, as anybody would write; the front looks for ready servers once a second. */
  private async mark() {
    this.marks += 1;
    const body = {
      metadata: { name: `mark-${Date.now()}-${this.marks}` },
      data: { number: String(this.marks) },
    };
    for (let tries = 0; ; tries++) {
      try {
        await this.api.createNamespacedConfigMap({
          namespace: 'default',
          body,
        });
        return;
      } catch (error) {
        if (tries === 100) throw error;
        await sleep(200);
      }
    }
  }
}
