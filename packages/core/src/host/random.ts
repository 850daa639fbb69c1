/** Source of random octets, fit for secrets. @param octets how many, 1 to 65,536 @returns a new array of that length */
export type Random = (octets: number) => Uint8Array
