import { change } from '../journal';
import {
  controllersOf,
  etcdManifestsOf,
  NodePlan,
  Plan,
  workspaceOf,
} from '../plan';
import { Attempting, Step, StepNode } from '../Step';

// What comes first: where each file belongs. The manifests of pods that wait to be started belong where they wait; a
// kubelet reads every file of its folder that does not begin with a dot, so that the new one begins with one.
const PLACES = `workspace=$1 parked=$2 kubelet=$3
shift 3
waiting=" $* "
export workspace parked waiting
put='
place() { # sets target, of a path below a folder
  target=/\${1#./}
  case $waiting in *" $target "*) target=$parked/\${target##*/} ;; esac
}
copy() { # from, to; in one step
  new=\${2%/*}/.cluster-backup-new
  rm -rf "$new"
  cp -a "$1" "$new"
  mv -fT "$new" "$2"
  if command -v restorecon >/dev/null; then restorecon "$2" || true; fi
}
same() {
  if [ -h "$1" ] || [ -h "$2" ]; then [ -h "$1" ] && [ -h "$2" ] && [ "$(readlink "$1")" = "$(readlink "$2")" ]; return; fi
  [ "$(stat -c "%u %g %a" "$1")" = "$(stat -c "%u %g %a" "$2" 2>/dev/null)" ] && cmp -s "$1" "$2"
}
'
export put
`;

// What is replaced is copied first, once and whole: an undo has it whatever happened in between.
const PUT_BACK = `${PLACES}
mkdir -p "$parked"
cd "$workspace/files"
if [ ! -e "$workspace/kept-files" ]; then
  rm -rf "$workspace/kept-files.new"
  mkdir -m 700 "$workspace/kept-files.new"
  find . -mindepth 1 -type d -exec sh -c 'eval "$put"; for path do
    if [ -d "/$path" ]; then mkdir -p "$workspace/kept-files.new/$path"; fi
  done' sh {} +
  find . ! -type d -exec sh -euc 'eval "$put"; for path do
    place "$path"
    if [ -e "$target" ] || [ -h "$target" ]; then
      kept=$workspace/kept-files.new/$path
      mkdir -p "\${kept%/*}"
      cp -a "$target" "$kept"
    fi
  done' sh {} +
  sync -f "$workspace/kept-files.new"
  mv "$workspace/kept-files.new" "$workspace/kept-files"
  sync "$workspace"
fi
find . -mindepth 1 -type d -exec sh -euc 'for path do
  if [ ! -d "/$path" ]; then
    mkdir -p "/$path"
    chown --reference="$path" "/$path"
    chmod --reference="$path" "/$path"
  fi
done' sh {} +
find . ! -type d -exec sh -euc 'eval "$put"; for path do
  place "$path"
  if ! same "$path" "$target"; then copy "$path" "$target"; fi
done' sh {} +
sync
if [ "$kubelet" = yes ]; then systemctl restart kubelet; fi`;

const TAKE_AWAY = `${PLACES}
[ -e "$workspace/kept-files" ] || exit 0
cd "$workspace/files"
find . ! -type d -exec sh -euc 'eval "$put"; for path do
  place "$path"
  kept=$workspace/kept-files/$path
  if [ -e "$kept" ] || [ -h "$kept" ]; then
    if ! same "$kept" "$target"; then copy "$kept" "$target"; fi
  else
    rm -f "$target"
  fi
done' sh {} +
find . -mindepth 1 -depth -type d -exec sh -c 'for path do
  if [ ! -d "$workspace/kept-files/$path" ]; then rmdir "/$path" 2>/dev/null; fi
done; :' sh {} +
sync
if [ "$kubelet" = yes ]; then systemctl restart kubelet || true; fi
mv "$workspace/kept-files" "$workspace/kept-files.undone"
sync "$workspace"
rm -rf "$workspace/kept-files.undone"`;

/**
 * Certificates, keys, kubeconfigs and manifests of the archive, where those on a node cannot serve its data. Everything
 * that reads them is stopped; those that they replace are kept.
 */
export const putBackFiles: Step = {
  name: 'put-back-files',
  title: 'Put back certificates, keys and manifests where they were lost',
  zone: 'commit',
  run: (attempting, node) => carryOut(attempting, node, PUT_BACK),
  undo: (attempting, node) =>
    carryOut(
      { ...attempting, signal: new AbortController().signal },
      node,
      TAKE_AWAY,
    ),
};

async function carryOut(
  { attempt, plan, signal }: Attempting,
  { machine, plan: node }: StepNode,
  script: string,
) {
  if (!node.filesBack) return;
  await change(
    machine,
    attempt,
    'put-back-files',
    script,
    [
      workspaceOf(plan, node.etcd),
      node.parked,
      node.filesBack.kubelet ? 'yes' : 'no',
      ...waitingOf(plan, node),
    ],
    { signal },
  );
}

/** Manifests that later steps return. */
function waitingOf(plan: Plan, node: NodePlan): string[] {
  return [
    node.apiServer.manifestPath,
    ...etcdManifestsOf(plan, node),
    ...controllersOf(node),
  ];
}
