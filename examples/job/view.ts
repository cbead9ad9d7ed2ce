// Draws the state of a job: a bar, the counts, the failures by reason, and a line for each worker.

import {visible} from 'multistatus'
import type {JobReport} from 'multistatus/jobs'

const WIDTH = 30

export function draw(report: JobReport): string {
  const {state, total, done, inDoubt, requests, resources, listings, rate, timeLeft} = report
  const {reasons, incomplete, setAside, cooldown, workers} = report
  const filled = total === undefined || total === 0 ? 0 : Math.floor((done / total) * WIDTH)
  const bar = '█'.repeat(filled).padEnd(WIDTH, '░')
  const left = timeLeft === undefined ? '' : `, ${duration(timeLeft)} left`
  const held = cooldown > 0 ? `, the server wants ${duration(cooldown)} of rest` : ''
  const live = workers.filter(({isLive}) => isLive)
  return [
    `${bar} ${state}: ${done} of ${total ?? '?'} done, ${rate.toFixed(0)}/s${left}${held}`,
    `${listings} collections listed, ${resources} resources, ${requests} requests`,
    ...Object.entries(reasons).map(([reason, count]) => `failed, ${reason}: ${count}`),
    ...(inDoubt > 0 ? [`deleted, in doubt: ${inDoubt}`] : []),
    ...(setAside > 0 ? [`set aside: ${setAside} units`] : []),
    ...incomplete.slice(0, 5).map(({href, reason, status = 0, description}) => {
      return `not listed: ${visible(description ?? `${href} (${reason} ${status})`)}`
    }),
    ...(rate === 0 && state === 'open'
      ? ['waiting: the units of a lost worker are free after 30 s']
      : []),
    ...live.map((worker) => `${worker.name}: ${worker.done} done, ${worker.rate.toFixed(0)}/s`),
  ].join('\n')
}

function duration(milliseconds: number): string {
  const seconds = Math.ceil(milliseconds / 1000)
  if (seconds < 60) return `${seconds} s`
  return seconds < 3600
    ? `${Math.ceil(seconds / 60)} min`
    : `${Math.floor(seconds / 3600)} h ${Math.ceil((seconds % 3600) / 60)} min`
}
