import { startLab } from './startLab';
async function main() {
  const t = Date.now();
  const lab = await startLab({
    nodes: Number(process.argv[2] ?? 1) as 1 | 3,
    workers: Number(process.argv[3] ?? 0),
  });
  console.log(
    'up',
    Date.now() - t,
    JSON.stringify(lab.access().machines.map(m => [m.name, m.port])),
    lab.directory,
  );
  process.on('SIGINT', async () => {
    const t2 = Date.now();
    await lab.stop();
    console.log('down', Date.now() - t2);
    process.exit();
  });
  setInterval(() => {}, 1e6);
}
main();
