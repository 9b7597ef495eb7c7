export * from './section';
export * from './readConfiguration';
