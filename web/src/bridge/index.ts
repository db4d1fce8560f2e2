import { ApiError, type Api } from '../api/api';

/** Reaches the engine, wherever it runs. */
export function connect(): Promise<Api> {
  return Promise.reject(new ApiError('service-unavailable'));
}
