import { useInstalled } from "../version.ts";

useInstalled("python", ["python3", "python"]);
