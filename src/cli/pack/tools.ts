// src/cli/pack/tools.ts — what the commands of `nadi pack` do; loaded when one of them is called.
export { checkPacks } from './check-packs.ts'
export { importOpenapiPack, importWsdlPack } from './import.ts'
export { newPack } from './new.ts'
export { testOnePack } from './test-pack.ts'
