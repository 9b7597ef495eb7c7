module.exports = require('@backstage/cli/config/eslint-factory')(__dirname, {
  rules: {
    'jest/expect-expect': [
      'error',
      // What a person sees is waited for: `inBoth` fails when it does not come.
      { assertFunctionNames: ['expect*', 'visit.inBoth'] },
    ],
  },
});
