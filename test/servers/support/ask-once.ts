/** A program that asks for one resource with the default transport, and prints the status or the error. Argument: the URL. */
import {DavClient} from 'multistatus'

const dav = new DavClient({url: process.argv[2] ?? ''})
const seen = await dav.stat('').catch((error: unknown) => error)
console.log(seen instanceof Error ? seen.message : String(Reflect.get(Object(seen), 'status')))
