// A guard against hanging, not a promise of speed: the tests start real servers, on machines that may be busy.
jest.setTimeout(180_000);
