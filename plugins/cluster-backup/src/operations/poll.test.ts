import { poll } from './poll';

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

describe('poll', () => {
  it('asks at the interval it is told, waits longer after each failure, and ends when told', async () => {
    const load = jest.fn(async () => 'state');
    const onValue = jest.fn((): number | undefined => 1_000);
    const onError = jest.fn();
    poll({ load, onValue, onError });
    await jest.advanceTimersByTimeAsync(2_500);
    expect(load).toHaveBeenCalledTimes(3);

    load.mockRejectedValue(new TypeError('Failed to fetch'));
    await jest.advanceTimersByTimeAsync(500);
    for (const wait of [1_000, 2_000, 4_000, 8_000, 10_000, 10_000]) {
      load.mockClear();
      await jest.advanceTimersByTimeAsync(wait - 1);
      expect(load).not.toHaveBeenCalled();
      await jest.advanceTimersByTimeAsync(1);
      expect(load).toHaveBeenCalledTimes(1);
    }
    expect(onError).toHaveBeenCalledTimes(7);

    load.mockResolvedValue('state');
    await jest.advanceTimersByTimeAsync(10_000);
    load.mockClear();
    await jest.advanceTimersByTimeAsync(1_000);
    expect(load).toHaveBeenCalled();

    onValue.mockReturnValue(undefined);
    await jest.advanceTimersByTimeAsync(1_000);
    load.mockClear();
    await jest.advanceTimersByTimeAsync(60_000);
    expect(load).not.toHaveBeenCalled();
  });

  it('says nothing any more once it is stopped', async () => {
    const onValue = jest.fn(() => 10);
    let answer = (_: string) => {};
    const load = () => new Promise<string>(resolve => (answer = resolve));
    const stop = poll({ load, onValue, onError: jest.fn() });
    stop();
    answer('late');
    await jest.advanceTimersByTimeAsync(1_000);
    expect(onValue).not.toHaveBeenCalled();
  });
});
