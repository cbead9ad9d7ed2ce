import {execFileSync} from 'node:child_process'
import {mkdirSync,rmSync,writeFileSync} from 'node:fs'
import {join} from 'node:path'
const {nginx}=await import('/work/main/test/servers/nginx.ts')
const {Server}=await import('/work/main/test/servers/support/server.ts')
const {giveToServer}=await import('/work/main/test/servers/support/account.ts')
const [kind='ours',job='put',files='2000',...flags]=process.argv.slice(2)
const s=new Server(nginx);await s.start()
try{
  for(const f of ['files','moved']){mkdirSync(join(s.root,f))}
  if(job!=='put')for(let i=0;i<+files;i++)writeFileSync(join(s.root,'files',`${i}.bin`),'x'.repeat(1024))
  await giveToServer(s.root)
  console.log(execFileSync(process.execPath,['--expose-gc',...flags,'/work/main/test/bench/transfer-worker.ts',kind,job,s.url(),files,'0','16','x'],{encoding:'utf8'}))
}finally{await s.remove()}
