import { faultTests } from "./faults.ts";

faultTests({ large: false });
