// Runs the scenarios in workerd: answers a request that has the place as JSON with the outcomes.

import {runScenarios} from './scenarios.ts'

// oxlint-disable-next-line import/no-default-export -- workerd calls the default export of a worker's module
export default {
  async fetch(request: Request): Promise<Response> {
    return Response.json(await runScenarios(await request.json()))
  },
}
