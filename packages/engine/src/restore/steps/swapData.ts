import { change } from '../journal';
import { replacedOn, workspaceOf } from '../plan';
import { Attempting, Step, StepNode } from '../Step';

// Both halves are renames inside one file system. A cut between them leaves a state that either direction
// recognizes: `kept` (or `kept.none`, where there was no data) is there, `member` is not.
const SWAP = `cd "$1"
workspace=$2
if [ ! -e "$workspace/kept" ] && [ ! -e "$workspace/kept.none" ]; then
  if [ -e member ]; then mv member "$workspace/kept"; else mkdir "$workspace/kept.none"; fi
  sync . "$workspace"
fi
if [ ! -e member ]; then mv "$workspace/restored/member" member; sync . "$workspace"; fi`;

const SWAP_BACK = `cd "$1"
workspace=$2
if [ -e "$workspace/kept" ] || [ -e "$workspace/kept.none" ]; then
  if [ -e member ]; then mkdir -p "$workspace/restored"; mv member "$workspace/restored/member"; sync . "$workspace"; fi
  if [ -e "$workspace/kept" ]; then mv "$workspace/kept" member; else rmdir "$workspace/kept.none"; fi
  sync . "$workspace"
fi`;

export const swapData: Step = {
  name: 'swap-data',
  title: 'Put the restored data in the place of the old',
  zone: 'commit',
  run: (attempting, node) => onEach(attempting, node, SWAP),
  undo: (attempting, node) =>
    onEach(
      { ...attempting, signal: new AbortController().signal },
      node,
      SWAP_BACK,
    ),
};

async function onEach(
  { attempt, plan, signal }: Attempting,
  node: StepNode,
  script: string,
) {
  for (const etcd of replacedOn(plan, node.plan)) {
    const folders = [etcd.dataDir, workspaceOf(plan, etcd)];
    await change(node.machine, attempt, 'swap-data', script, folders, {
      signal,
    });
  }
}
