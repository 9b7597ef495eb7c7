import '@testing-library/jest-dom';
import { configure } from '@testing-library/react';
import { File } from 'node:buffer';
import { webcrypto } from 'node:crypto';

// jsdom has no SubtleCrypto; every browser has, on a page served over https.
Object.defineProperty(globalThis, 'crypto', { value: webcrypto });

// jsdom's files cannot be read as those of browsers can.
Object.assign(globalThis, { File });

// What is followed is asked for every second, on machines that may be busy.
configure({ asyncUtilTimeout: 15_000 });
jest.setTimeout(60_000);
