import { AuthError } from '../../errors.ts'
import { isResource } from '../tokens/resource.ts'

/**
 * Adds each resource indicator as a parameter of its own (RFC 8707 section 2). Rejects with
 * `request_invalid` what is not an absolute URI without fragment.
 */
export function appendResources(parameters: URLSearchParams, resources: readonly string[]): void {
  for (const resource of resources) {
    if (!isResource(resource)) {
      throw new AuthError('request_invalid', 'A resource is not an absolute URI without fragment.')
    }
    parameters.append('resource', resource)
  }
}
