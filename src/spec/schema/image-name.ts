// What oci/image says of an image's name, as a complaint.
import { OciError } from '../../oci/error.ts';
import { parseReference } from '../../oci/image/reference.ts';

/** What is wrong with an image reference, or undefined. */
export function imageProblem(image: string): string | undefined {
  try {
    parseReference(image);
    return undefined;
  } catch (error) {
    if (error instanceof OciError) return error.message;
    throw error;
  }
}
